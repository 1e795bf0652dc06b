/** `denier` tells which names no file tool reads, writes or shows. */
import picomatch from 'picomatch'

/**
 * Where passwords and keys usually stand, and `.git`: what is written there runs with the next git command.
 * To deny more: `folder(path, { deny: [...secretNames, 'private'] })`.
 */
export const secretNames: readonly string[] = [
  '.git',
  '.hg',
  '.svn',
  '.env',
  '.env.!(example|sample|template)',
  '.envrc',
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.kube',
  '**/.docker/config.json',
  '.npmrc',
  '.yarnrc.yml',
  '.pypirc',
  '.netrc',
  '_netrc',
  '.pgpass',
  '.my.cnf',
  '.htpasswd',
  '.git-credentials',
  'id_{rsa,dsa,ecdsa,ed25519}',
  '*.{pem,key,p12,pfx,jks,keystore,kdbx,ppk}',
]

/**
 * A pattern without `/` is about a name at any depth, one with `/` about a path from the folder. What is below a denied
 * folder is denied. Upper and lower case, and look-alikes that some file systems take for the same name, make no difference.
 */
export function denier(patterns: readonly string[]): (names: readonly string[]) => boolean {
  const options = { dot: true, nocase: true }
  const byName = patterns.filter((pattern) => !pattern.includes('/')).map((pattern) => picomatch(pattern, options))
  const byPath = patterns.filter((pattern) => pattern.includes('/')).map((pattern) => picomatch(pattern, options))
  return (names) => {
    const plain = names.map(plainName)
    return plain.some((name, index) => {
      const path = plain.slice(0, index + 1).join('/')
      return byName.some((matches) => matches(name)) || byPath.some((matches) => matches(path))
    })
  }
}

/** HFS+ leaves out what cannot be seen (CVE-2014-9390), APFS and NTFS fold case, Windows drops dots and spaces at the end. */
function plainName(name: string): string {
  const visible = name.replace(/\p{Default_Ignorable_Code_Point}/gu, '').normalize('NFKC')
  return visible.replace(/[. ]+$|:.*$/g, '') || name
}
