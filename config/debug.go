package config

// Debug is what only a laboratory should use: the table [debug].
type Debug struct {
	Source
	// SaveKeys is a directory where the keys of all SAs are written for Wireshark. Default none.
	SaveKeys string `key:"save_keys" default:""`
}

func readDebug(t *table) (d Debug) {
	if t.fill(&d); d.SaveKeys != "" {
		t.warnf(t.at("save_keys"), "remove it outside a laboratory",
			"debug.save_keys writes the keys of all SAs to files: whoever reads them can read all traffic")
	}
	d.Source = t.done()
	return d
}
