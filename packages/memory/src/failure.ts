/** `failure()`: what a disk or a database refused, as a `SessionError` that names the value, the reason and the next move. */
import { SessionError } from '@clew/core'

type Cause = { code?: string; errcode?: number; message?: string; errstr?: string }

const ofSystem: { [code: string]: string } = {
  ENOSPC: 'The disk is full: make room, then resume.',
  EDQUOT: 'The disk quota is used up: make room, then resume.',
  EFBIG: 'The file may not grow any more: raise the limit on file sizes, or begin another session.',
  EACCES: 'Permission is missing: let this user read and write there, or choose another place.',
  EPERM: 'Permission is missing: let this user read and write there, or choose another place.',
  EROFS: 'The file system is read-only: choose another place.',
  EISDIR: 'That is a folder: name a file in it.',
  ENOTDIR: 'A part of that path is a file, not a folder: choose another place.',
  EMFILE: 'Too many files are open: close sessions that are no longer used.',
}

/** By SQLite's primary result code. */
const ofSqlite: { [code: number]: string } = {
  3: 'Permission is missing: let this user read and write there, or choose another place.',
  5: 'Another process holds the database for longer than five seconds: find out which, then resume.',
  6: 'Another process holds the database for longer than five seconds: find out which, then resume.',
  8: 'It is read-only: let this user write to the file and its folder.',
  10: 'The disk failed: look after it before going on.',
  11: 'The database is damaged: restore it from a copy, or save what can be read with `sqlite3 FILE .recover`.',
  13: 'The disk is full: make room, then resume.',
  14: 'It cannot be opened: see that this user may write to the folder and the file.',
  26: 'That file is no SQLite database: name another one.',
}

const ofPostgres: { [code: string]: string } = {
  ECONNREFUSED: 'Nothing answers there: see that PostgreSQL runs, and that host and port are right.',
  ENOTFOUND: 'There is no such host: correct the connection string.',
  '28P01': 'The password is wrong: correct the connection string.',
  '28000': 'This user may not connect: see pg_hba.conf, or take another user.',
  '3D000': 'There is no such database: create it, or correct the connection string.',
  '42501': 'This user lacks a privilege: create the schema as its owner once, or grant this user its use.',
  '53100': "The server's disk is full: make room, then resume.",
  '53300': 'The server has no connection left: lower the size of the pool, or raise max_connections.',
}

/** `doing` reads as in: Session "a" could not be *appended to*. */
export function failure(id: string, doing: string, place: string, cause: unknown): SessionError {
  if (cause instanceof SessionError) return cause
  return new SessionError(`Session "${id}" could not be ${doing} (${place}): ${reasonOf(cause)}`, { cause })
}

/** Why, and the next move. */
export function reasonOf(cause: unknown): string {
  const { code = '', errcode, message, errstr } = cause as Cause
  const next = errcode === undefined ? (ofSystem[code] ?? ofPostgres[code]) : ofSqlite[errcode & 0xff]
  const reason = [message || code || 'unknown reason', errstr].filter(Boolean).join(': ')
  return `${reason.replace(/\.?$/, '.')} ${next ?? 'Mend that, then resume.'}`
}

/** An append at a position that is not the end of the log. */
export function stale(id: string, end: number, at: number): SessionError {
  return new SessionError(
    `Session "${id}" is at position ${end}, not ${at}: another run appended meanwhile. Read it again, then resume.`,
  )
}

export function closed(id: string): SessionError {
  return new SessionError(`Session "${id}" is closed. Open it anew.`)
}

/** @throws SessionError for an id that a database could not keep apart from others. */
export function checkId(id: string): void {
  if (id.isWellFormed() && !id.includes('\0')) return
  throw new SessionError(
    `The session id ${JSON.stringify(id)} holds a NUL character or half of a character, which databases do not keep. Choose another.`,
  )
}
