package sa

// maxPredecessors is how many IKE SAs that a peer has rekeyed and not deleted yet there may be before it can rekey their
// successor. An honest peer deletes each at once, so that there are two only when DELETEs are lost; one that rekeys on and on
// and deletes nothing would fill the memory with IKE SAs which wait for supersededTime.
const maxPredecessors = 2

// predecessors counts the IKE SAs that this one has come of by rekeying and that have not ended, and lets go of those that have.
func (m *Machine) predecessors() int {
	n := 0
	for p := &m.predecessor; *p != nil; {
		if (*p).state == StateClosed {
			*p = (*p).predecessor
			continue
		}
		p = &(*p).predecessor
		n++
	}
	return n
}
