import type { Respond } from '@clew/testing'

export const respond: Respond = ({ tools }) => `With ${tools?.map((tool) => tool.function?.name).join(', ')}.`
