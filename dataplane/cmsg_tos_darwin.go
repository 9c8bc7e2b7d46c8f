package dataplane

// tosLen is the size of what IP_TOS takes as a control message: an int.
const tosLen = 4
