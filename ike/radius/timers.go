package radius

// timers are the exchanges by what is due next. It implements heap.Interface.
type timers []*exchange

// Len implements sort.Interface.
func (t timers) Len() int { return len(t) }

// Less implements sort.Interface. Of two that are due at once, the older one comes first: what happens does not depend on the heap.
func (t timers) Less(i, j int) bool {
	if !t[i].due.Equal(t[j].due) {
		return t[i].due.Before(t[j].due)
	}
	return t[i].id < t[j].id
}

// Swap implements sort.Interface.
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

// Push implements heap.Interface.
func (t *timers) Push(v any) {
	x := v.(*exchange)
	x.index = len(*t)
	*t = append(*t, x)
}

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	n := len(*t) - 1
	x := (*t)[n]
	(*t)[n] = nil
	*t = (*t)[:n]
	x.index = -1
	return x
}
