/** Keys of the page: single letters that lead somewhere, and arrows that move through a list. */
import { useEffect, useRef } from 'preact/hooks'

/** Hears the key where nobody is writing. */
export function useKey(key: string, act: () => void): void {
  const current = useRef(act)
  current.current = act
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      const { target } = event
      const isWriting = target instanceof HTMLElement && target.matches('input, select, textarea, [contenteditable]')
      if (event.key !== key || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      if (isWriting && key !== 'Escape') return
      event.preventDefault()
      current.current()
    }
    addEventListener('keydown', hear)
    return () => removeEventListener('keydown', hear)
  }, [key])
}

const steps: { [key: string]: number } = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }

/** Moves the focus among what the selector finds under the element that listens. */
export function moveFocus(event: KeyboardEvent, selector: string): void {
  const by = steps[event.key]
  const list = event.currentTarget
  if (by === undefined || !(list instanceof HTMLElement)) return
  const all = [...list.querySelectorAll<HTMLElement>(selector)]
  const next = all[all.indexOf(document.activeElement as HTMLElement) + by]
  if (!next) return
  event.preventDefault()
  next.focus()
}

/** A form that the page reads itself. */
export function submitted(event: Event, act: () => void): void {
  event.preventDefault()
  act()
}
