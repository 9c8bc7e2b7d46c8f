package strongswan

import (
	"path/filepath"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/swanctl"
)

// Folder is where swanctl has its files.
const Folder = "/etc/swanctl"

// Is reports whether a text is one of a swanctl.conf: it has one of its sections.
func Is(text string) bool {
	for line := range strings.Lines(text) {
		name, _, ok := strings.Cut(strings.TrimSpace(line), "{")
		if !ok {
			name, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		}
		switch strings.TrimSpace(name) {
		case "connections", "secrets", "pools", "authorities":
			return true
		}
		if strings.HasPrefix(strings.TrimSpace(line), "include ") && strings.Contains(line, "swanctl") {
			return true
		}
	}
	return false
}

// Import makes our configuration of a swanctl.conf, or of the one in a folder of swanctl, together with the certificates and keys around it.
// daemon is the strongswan.conf whose daemon keys are to be taken along, "" for none; those of /etc/swanctl are.
func Import(name, daemon string, o migrate.Options) (*migrate.Result, error) {
	file, dir := name, filepath.Dir(name)
	if folder(name, o.Files) {
		file, dir = filepath.Join(name, "swanctl.conf"), name
	} else if filepath.Base(dir) == "conf.d" {
		dir = filepath.Dir(dir)
	}
	if name == migrate.Stdin {
		dir = Folder
	}
	doc, err := swanctl.Parse(file, o.Files)
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := &converter{Draft: migrate.NewDraft(file, o), dir: dir, named: map[string]bool{}, templates: doc.Templates}
	for _, w := range doc.Warnings {
		if strings.HasPrefix(w.What, "include: ") && !strings.ContainsAny(w.What, "*?[") {
			c.Leave(c.Root(), w.At, "include", strings.TrimPrefix(w.What, "include: "))
			continue
		}
		c.Note("%v", w)
	}
	if path, ok := daemonFile(dir, daemon); ok && name != migrate.Stdin {
		if err := c.daemon(path); err != nil {
			return nil, oneError(err)
		}
	}
	c.document(doc.Root)
	c.credentials()
	return c.Result(), nil
}

// folder reports whether a name is that of a folder with a swanctl.conf.
func folder(name string, f migrate.Files) bool {
	found, err := f.Glob(filepath.Join(quoteGlob(name), "swanctl.conf"))
	return err == nil && len(found) > 0
}
