package vici

// AlgorithmKind is a section of `get-algorithms`, such as "encryption" or "dh".
type AlgorithmKind struct {
	Kind string
	// Names are those of IANA, as Algorithms has them; Provider says what implements them.
	Names    []string
	Provider string
}

func algorithms(kinds []AlgorithmKind) *Message {
	m := new(Message)
	for _, k := range kinds {
		s := m.Sub(k.Kind)
		for _, name := range k.Names {
			s.Set(name, k.Provider)
		}
	}
	return m
}
