package strongswan

import (
	"fmt"
	"path/filepath"
	"slices"
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
		switch why, isInclude := strings.CutPrefix(w.What, "include: "); {
		case isInclude && strings.ContainsAny(why, "*?["): // that none matches is as it should be
		case isInclude:
			c.Leave(c.Root(), w.At, "include", why)
		default:
			c.Note("%v", w)
		}
	}
	if daemon != "" {
		if text, err := o.Read(daemon); err != nil {
			return nil, err
		} else if Is(text) {
			return nil, fmt.Errorf("%s is a swanctl.conf; one is read, with those that it includes, and a strongswan.conf", daemon)
		}
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

// The first and the last line of what stands in the swanctl.conf that strongSwan installs: all keys there are, in comments.
const (
	templateBegins = "Section defining IKE connection configurations."
	templateEnds   = "Include config snippets"
)

// withoutTemplate are comments without those of strongSwan's own: they are about its keys and not the operator's.
func withoutTemplate(lines []string) []string {
	i, j := slices.Index(lines, templateBegins), slices.Index(lines, templateEnds)
	if i < 0 || j < i {
		return lines
	}
	return slices.Concat(lines[:i], lines[j+1:])
}
