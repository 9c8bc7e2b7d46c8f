package vici

import "strconv"

// HostWarning is what the host that the daemon runs on has, or lacks, that keeps tunnels from doing what they are for.
type HostWarning struct {
	// Connection and Child are the child that this host itself cannot use; empty for what concerns no single child.
	Connection string `json:"connection,omitempty"`
	Child      string `json:"child,omitempty"`
	// Certificate: it is about the certificates, keys and revocation lists of the gateway, and not about the host.
	Certificate bool `json:"certificate,omitempty"`
	// Text is the warning with its fix, on one line.
	Text string `json:"text"`
}

func fillHostWarnings(m *Message, list []HostWarning) {
	for i, w := range list {
		s := m.Sub(strconv.Itoa(i + 1))
		s.SetNonEmpty("connection", w.Connection)
		s.SetNonEmpty("child", w.Child)
		if w.Certificate {
			s.Set("certificate", "yes")
		}
		s.Set("text", cut(w.Text, maxText))
	}
}

// parseHostWarnings reads what fillHostWarnings has written.
func parseHostWarnings(m *Message) (list []HostWarning) {
	for _, s := range m.Sections() {
		list = append(list, HostWarning{Connection: s.Get("connection"), Child: s.Get("child"), Certificate: s.Get("certificate") == "yes", Text: s.Get("text")})
	}
	return list
}
