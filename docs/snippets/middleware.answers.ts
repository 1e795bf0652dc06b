export const respond = [{ calls: [{ name: 'flaky' }] }, { text: 'Done.' }]
