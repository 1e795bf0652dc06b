export const models = [
  {
    id: 'qwen/qwen3.5-9b',
    name: 'Qwen: Qwen3.5-9B',
    context_length: 262_144,
    architecture: { input_modalities: ['text', 'image', 'video'], output_modalities: ['text'] },
    pricing: { prompt: '0.0000001', completion: '0.00000015' },
    supported_parameters: ['reasoning', 'tools', 'structured_outputs'],
  },
]
export const respond = ['Thread.']
