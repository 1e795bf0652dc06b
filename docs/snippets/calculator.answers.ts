const calculate = (expression: string) => ({ name: 'calculator', arguments: { expression } })
export const respond = [
  { calls: [calculate('round(3 × 19.99 * (1 + 19%), 2)'), calculate('2(3)'), calculate('71.36 / 3')] },
  '71.36 in all; a third is about 23.79.',
]
