export const respond = [{ calls: [{ name: 'list_orders' }] }, { text: 'Orders 3 and 17.' }]
