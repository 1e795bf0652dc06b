/** Where the page stands: a path and its settings, all of it after the `#`, so that a link shows the same again. */
import { useEffect, useState } from 'preact/hooks'

export type Route = { path: string[]; query: URLSearchParams }

export function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  return { path: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) }
}

/** A link to a path; settings that are empty are left out. */
export function link(path: string[], query: { [name: string]: string | undefined } = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]))
  const search = new URLSearchParams(given).toString()
  return `#/${path.map(encodeURIComponent).join('/')}${search && `?${search}`}`
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const follow = () => setHash(location.hash)
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return readRoute(hash)
}

/** `replace`: settings that change with every letter leave no trail to go back through. */
export function go(to: string, { replace = false } = {}): void {
  if (!replace) {
    location.hash = to
    return
  }
  history.replaceState(null, '', to)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
