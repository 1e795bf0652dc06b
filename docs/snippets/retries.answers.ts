export const respond = [{ status: 503, error: { code: 503, message: 'No provider is available.' } }, 'Hello!']
