export const respond = [{ text: "Ariadne's clew." }]
