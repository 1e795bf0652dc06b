import type { Respond } from '@clew/testing'

export const respond: Respond = ({ tools }) => `I have ${tools?.map((tool) => tool.function?.name).join(', ')}.`
