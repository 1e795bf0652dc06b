export const respond = [{ status: 402, error: { code: 402, message: 'Insufficient credits.' } }]
