package config

// Follow is l, of which old came from a folder that has next by now. What next has is what counts, also in the place of what commands have loaded or
// taken away since; what next has no more goes, unless a command has put something else there. All else stays. If that changes nothing it is l itself.
func (l *Loaded) Follow(old, next *Loaded) *Loaded {
	was, now, out := old.value(), next.value(), *l.value()
	changed := follow(&out.connections, was.connections, now.connections, func(s *Section) Position { return s.At })
	changed = follow(&out.authorities, was.authorities, now.authorities, func(s *Section) Position { return s.At }) || changed
	changed = follow(&out.pools, was.pools, now.pools, func(s *Section) Position { return s.At }) || changed
	changed = follow(&out.shared, was.shared, now.shared, func(s *Shared) Position { return s.At }) || changed
	changed = follow(&out.keys, was.keys, now.keys, func(k *loadedKey) Position { return k.at }) || changed
	changed = follow(&out.certs, was.certs, now.certs, func(c *Certificate) Position { return c.At }) || changed
	if !changed {
		return l
	}
	return &out
}

// follow is Follow for one roll.
func follow[T entry[T]](r *roll[T], was, now roll[T], at func(T) Position) (changed bool) {
	for _, x := range was.order {
		if _, ok := now.find(x.id()); ok {
			continue
		}
		if mine, ok := r.find(x.id()); ok && at(mine).File != OriginVICI {
			*r, _ = r.without(x.id())
			changed = true
		}
	}
	for _, x := range now.order {
		if mine, ok := r.find(x.id()); ok && mine.same(x) {
			continue
		}
		*r = r.with(x)
		changed = true
	}
	return changed
}
