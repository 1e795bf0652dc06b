/** The default model's card as of its day, for offline use (section 13 of the wire contract). Limits and prices move: `catalogue()` has today's. */
import { toCard } from './card.ts'

const entry = {
  id: 'qwen/qwen3.5-9b',
  name: 'Qwen: Qwen3.5-9B',
  context_length: 262_144,
  architecture: { input_modalities: ['text', 'image', 'video'], output_modalities: ['text'], tokenizer: 'Qwen3' },
  pricing: { prompt: '0.0000001', completion: '0.00000015' },
  top_provider: { context_length: 262_144, max_completion_tokens: 262_144, is_moderated: false },
  supported_parameters: [
    'frequency_penalty',
    'include_reasoning',
    'logit_bias',
    'logprobs',
    'max_tokens',
    'min_p',
    'presence_penalty',
    'reasoning',
    'repetition_penalty',
    'response_format',
    'seed',
    'stop',
    'structured_outputs',
    'temperature',
    'tool_choice',
    'tools',
    'top_k',
    'top_logprobs',
    'top_p',
  ],
  reasoning: { mandatory: false },
}

export const defaultCard = toCard(entry, '2026-11-22T00:00:00.000Z')!
