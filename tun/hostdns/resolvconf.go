package hostdns

import "strings"

// resolvconf is resolvconf(8). That of openresolv can have the servers of an interface asked exclusively, and for some domains only; that of
// Debian can neither.
type resolvconf struct{ run runner }

func (resolvconf) name() string                              { return "resolvconf" }
func (resolvconf) prepare(Settings, *record) (record, error) { return record{}, nil }
func (resolvconf) changed(record) bool                       { return false } // it looks after it itself

// open reports whether it is openresolv's.
func (m resolvconf) open() bool {
	out, err := m.run("resolvconf", []string{"--version"}, "")
	return err == nil && strings.Contains(out, "openresolv")
}

func (m resolvconf) set(s Settings, _ record) error {
	var b strings.Builder
	args, open := []string{"-a", s.Device}, m.open()
	switch {
	case len(s.Domains) > 0 && !open:
		return ErrNoSplit
	case len(s.Domains) > 0:
		args = append([]string{"-p"}, args...)
		b.WriteString("search " + strings.Join(s.Domains, " ") + "\n")
	case open:
		args = append([]string{"-m", "0", "-x"}, args...)
	}
	for _, a := range s.Servers {
		b.WriteString("nameserver " + a.String() + "\n")
	}
	_, err := m.run("resolvconf", args, b.String())
	return err
}

func (m resolvconf) undo(r record) error {
	_, err := m.run("resolvconf", []string{"-d", r.Device}, "")
	return err
}
