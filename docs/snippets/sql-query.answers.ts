const query = (text: string) => ({ calls: [{ name: 'sql_query', arguments: { query: text } }] })
export const respond = [
  { calls: [{ name: 'sql_query', arguments: {} }] },
  query("SELECT id, euros FROM orders WHERE customer = 'Ada'"),
  query('DELETE FROM orders WHERE id = 17'),
  'Order 17, for 80 euros. I cannot delete it.',
]
