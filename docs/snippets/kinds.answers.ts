export const respond = [
  { status: 400, error: { code: 400, message: 'prompt is too long: 263000 tokens > 262144 maximum' } },
]
