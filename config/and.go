package config

import (
	"fmt"
	"slices"
)

// And is what l and o have, where those of o take the places of those in l that have their names. To load many things it is much cheaper to put them
// together in parts than one by one.
func (l *Loaded) And(o *Loaded) (*Loaded, error) {
	a, b := l.value(), o.value()
	out := &Loaded{
		connections: join(a.connections, b.connections), authorities: join(a.authorities, b.authorities), pools: join(a.pools, b.pools),
		shared: join(a.shared, b.shared), keys: join(a.keys, b.keys), certs: join(a.certs, b.certs),
	}
	for _, x := range []struct {
		n, most int
		what    string
	}{
		{len(out.connections.order), maxLoadedConnections, "connections"}, {len(out.authorities.order), maxLoadedAuthorities, "authorities"},
		{len(out.pools.order), maxLoadedPools, "pools"}, {len(out.shared.order), maxLoadedShared, "secrets"},
		{len(out.keys.order), maxLoadedKeys, "private keys"}, {len(out.certs.order), maxLoadedCertificates, "certificates"},
	} {
		if x.n > x.most {
			return l, fmt.Errorf("there are more than %d %s; that is the most", x.most, x.what)
		}
	}
	return out, nil
}

// join is a roll with the things of both: those of b take the places of those in a that have their names, and the others come behind, in their order.
func join[T entry[T]](a, b roll[T]) (out roll[T]) {
	switch {
	case len(b.order) == 0:
		return a
	case len(a.order) == 0:
		return b
	}
	other := map[T]T{} // what takes the place of what
	out.sorted = make([]T, 0, len(a.sorted)+len(b.sorted))
	i := 0
	for _, y := range b.sorted {
		for i < len(a.sorted) && a.sorted[i].id() < y.id() {
			out.sorted = append(out.sorted, a.sorted[i])
			i++
		}
		if i < len(a.sorted) && a.sorted[i].id() == y.id() {
			other[a.sorted[i]] = y
			i++
		}
		out.sorted = append(out.sorted, y)
	}
	out.sorted = append(out.sorted, a.sorted[i:]...)
	out.order = slices.Grow(slices.Clone(a.order), len(b.order))
	for i, x := range a.order {
		if y, ok := other[x]; ok {
			out.order[i] = y
		}
	}
	for _, y := range b.order {
		if _, ok := a.find(y.id()); !ok {
			out.order = append(out.order, y)
		}
	}
	return out
}
