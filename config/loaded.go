package config

import (
	"esplanade/config/tree"
)

// Loaded is what was not read from the configuration file: connections, secrets, keys, certificates, CAs and pools that came by commands
// (VICI's load-conn and its like), or from a folder of swanctl. [Config.With] puts it in force together with the file.
//
// It is never changed: each method With… and Without… gives another value, and costs no more than a copy of the list that has changed.
// Any goroutine may use it. A nil *Loaded is empty, and its methods may be called.
type Loaded struct {
	connections roll[*Section]
	authorities roll[*Section]
	pools       roll[*Section]
	shared      roll[*Shared]
	keys        roll[*loadedKey]
	certs       roll[*Certificate]
}

// The most that is kept of each kind: whoever may write to the socket does not fill the memory by that.
const (
	maxLoadedConnections  = 1 << 16
	maxLoadedAuthorities  = 1 << 12
	maxLoadedPools        = 1 << 12
	maxLoadedShared       = 1 << 17
	maxLoadedKeys         = 1 << 12
	maxLoadedCertificates = 1 << 16
)

// OriginVICI is the File of positions of what commands have brought.
const OriginVICI = "VICI"

// Section is a connection, an authority or a pool as swanctl has it: the table is what stands within the braces.
type Section struct {
	Name string
	// At is where it came from: a line of a file, or {File: OriginVICI}.
	At Position
	// Table has its keys. It is not changed any more.
	Table *tree.Table
}

func (s *Section) id() string { return s.Name }

func (s *Section) same(o *Section) bool { return s.At == o.At && s.Table.Equal(o.Table) }

// WithConnection is l with a connection, which takes the place of the one that has its name. One that is just the same gives l itself. What
// the section means is looked at by [Config.With].
func (l *Loaded) WithConnection(s Section) (*Loaded, error) {
	return put(l, func(o *Loaded) *roll[*Section] { return &o.connections }, &s, maxLoadedConnections, "connections")
}

// WithoutConnection is l without a connection; ok is false if there is none of that name. So it is with the other methods Without….
func (l *Loaded) WithoutConnection(name string) (out *Loaded, ok bool) {
	return drop(l, func(o *Loaded) *roll[*Section] { return &o.connections }, name)
}

// WithAuthority is WithConnection for a section of authorities.
func (l *Loaded) WithAuthority(s Section) (*Loaded, error) {
	return put(l, func(o *Loaded) *roll[*Section] { return &o.authorities }, &s, maxLoadedAuthorities, "authorities")
}

// WithoutAuthority: see [Loaded.WithoutConnection].
func (l *Loaded) WithoutAuthority(name string) (out *Loaded, ok bool) {
	return drop(l, func(o *Loaded) *roll[*Section] { return &o.authorities }, name)
}

// WithPool is WithConnection for a section of pools.
func (l *Loaded) WithPool(s Section) (*Loaded, error) {
	return put(l, func(o *Loaded) *roll[*Section] { return &o.pools }, &s, maxLoadedPools, "pools")
}

// WithoutPool: see [Loaded.WithoutConnection].
func (l *Loaded) WithoutPool(name string) (out *Loaded, ok bool) {
	return drop(l, func(o *Loaded) *roll[*Section] { return &o.pools }, name)
}

// Connections, Authorities and Pools are the names of what was loaded, in the order of loading.
func (l *Loaded) Connections() []string { return l.value().connections.ids() }

// Authorities: see [Loaded.Connections].
func (l *Loaded) Authorities() []string { return l.value().authorities.ids() }

// Pools: see [Loaded.Connections].
func (l *Loaded) Pools() []string { return l.value().pools.ids() }

// Connection finds a connection that was loaded; nil if there is none.
func (l *Loaded) Connection(name string) *Section {
	s, _ := l.value().connections.find(name)
	return s
}

// Pool finds a pool that was loaded; nil if there is none.
func (l *Loaded) Pool(name string) *Section {
	s, _ := l.value().pools.find(name)
	return s
}

// KeptIn is fresh, what a folder has by now, with what of l came by commands. Where fresh has something of the same name, that counts: it is what
// was written last.
func (l *Loaded) KeptIn(fresh *Loaded) *Loaded {
	out := *fresh.value()
	l = l.value()
	out.connections = keptIn(l.connections, out.connections, func(s *Section) bool { return s.At.File == OriginVICI })
	out.authorities = keptIn(l.authorities, out.authorities, func(s *Section) bool { return s.At.File == OriginVICI })
	out.pools = keptIn(l.pools, out.pools, func(s *Section) bool { return s.At.File == OriginVICI })
	out.shared = keptIn(l.shared, out.shared, func(s *Shared) bool { return s.At.File == OriginVICI })
	out.keys = keptIn(l.keys, out.keys, func(k *loadedKey) bool { return k.at.File == OriginVICI })
	out.certs = keptIn(l.certs, out.certs, func(c *Certificate) bool { return c.At.File == OriginVICI })
	return &out
}

// Empty reports whether there is nothing in it.
func (l *Loaded) Empty() bool {
	return l == nil || len(l.connections.order)+len(l.authorities.order)+len(l.pools.order)+len(l.shared.order)+len(l.keys.order)+len(l.certs.order) == 0
}

// value is l, or what stands for nil.
func (l *Loaded) value() *Loaded {
	if l == nil {
		return &Loaded{}
	}
	return l
}
