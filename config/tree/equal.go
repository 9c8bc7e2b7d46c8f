package tree

// Equal reports whether two tables have the same names with the same values, in the same order. Where they stand does not count.
func (t *Table) Equal(o *Table) bool {
	if t == o {
		return true
	}
	if t.Len() != o.Len() {
		return false
	}
	for i := range t.Len() {
		if a, b := &t.entries[i], &o.entries[i]; a.Name != b.Name || !equal(a.Value.Data, b.Value.Data) {
			return false
		}
	}
	return true
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case *Table:
		b, ok := b.(*Table)
		return ok && a.Equal(b)
	case Tables:
		b, ok := b.(Tables)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !a[i].Equal(b[i]) {
				return false
			}
		}
		return true
	case List:
		b, ok := b.(List)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i].Data, b[i].Data) {
				return false
			}
		}
		return true
	}
	return a == b
}
