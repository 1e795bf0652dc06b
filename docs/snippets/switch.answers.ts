const details = [
  { type: 'reasoning.text', text: 'A clew.', signature: 'EqA1', format: 'anthropic-claude-v1', index: 0 },
]
export const respond = [{ text: 'Clew.', reasoningDetails: details }, 'Yarn.']
