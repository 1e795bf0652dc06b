export const respond = ["Ariadne's clew."]
