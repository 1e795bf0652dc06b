/** `Ask`: where a message to an agent is written, with images. */
import { useState } from 'preact/hooks'
import { submitted } from './keys.ts'

type AskProps = { isBusy: boolean; isWaiting: boolean; say: (text: string, images: string[]) => void; stop: () => void }

export function Ask({ isBusy, isWaiting, say, stop }: AskProps) {
  const [text, setText] = useState('')
  const [images, setImages] = useState<string[]>([])
  const send = () => {
    if (isBusy || isWaiting || (text.trim() === '' && images.length === 0)) return
    say(text, images)
    setText('')
    setImages([])
  }
  return (
    <form class="ask" onSubmit={(event) => submitted(event, send)}>
      {images.length > 0 && (
        <p class="quiet">{images.length === 1 ? '1 image' : `${images.length} images`} to be sent along.</p>
      )}
      <textarea
        aria-label="Message"
        placeholder={
          isWaiting ? 'Answer what is needed first' : 'Ask something. Enter sends, Shift and Enter begin a line.'
        }
        rows={2}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          send()
        }}
      />
      <p class="actions">
        <label class="button">
          Add image
          <input
            type="file"
            accept="image/*"
            multiple
            class="unseen"
            onChange={async ({ currentTarget }) =>
              setImages(await Promise.all([...(currentTarget.files ?? [])].map(dataUrl)))
            }
          />
        </label>
        {isBusy ? (
          <button type="button" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="submit" class="primary" disabled={isWaiting}>
            Send
          </button>
        )}
      </p>
    </form>
  )
}

function dataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(file)
  })
}
