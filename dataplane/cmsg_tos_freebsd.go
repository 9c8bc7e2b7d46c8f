package dataplane

// tosLen is the size of what IP_TOS takes as a control message: a u_char, see ip(4).
const tosLen = 1
