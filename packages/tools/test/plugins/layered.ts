import { definePlugin } from '@clew/core'

export default definePlugin({ name: 'layered', tools: [], middleware: () => [{ name: 'layer' }] })
