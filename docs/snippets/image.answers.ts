import type { Respond } from '@clew/testing'

export const respond: Respond = ({ messages }) => {
  const parts = messages.at(-1)?.content as { type: string; image_url?: { url: string } }[]
  return { text: `One pixel, sent as ${parts[1]?.type} ${parts[1]?.image_url?.url.slice(0, 22)}…` }
}
