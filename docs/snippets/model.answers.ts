export const respond = [
  {
    reasoningDetails: [{ type: 'reasoning.text', text: 'Eight each.', format: 'unknown', index: 0 }],
    text: 'Sixteen.',
    usage: { completion_tokens: 12, completion_tokens_details: { reasoning_tokens: 9 }, cost: 0.0000031 },
  },
]
