#!/usr/bin/env node
/** The `clew` command. */
import { commands } from './cli/commands.ts'
import { dispatch } from './cli/dispatch.ts'
import { processTerminal } from './cli/process-terminal.ts'

process.exitCode = await dispatch(commands, process.argv.slice(2), processTerminal())
