package tree

import "slices"

// Comment is what is written for people about an entry, without the signs that begin a comment.
type Comment struct {
	// Above are the lines above it. "" is an empty line.
	Above []string
	// Beside is what stands at the end of its line, "" for nothing.
	Beside string
}

// Note adds lines of comment where the table ends so far: they are above the entry that is added next, or at the end of the table if none is.
// "" is an empty line.
func (t *Table) Note(lines ...string) { t.notes = append(t.notes, lines...) }

// Settle makes the notes that are above no entry yet the end of what the table says of itself, whatever is added next: those about keys should
// not come to stand above the first table that follows them.
func (t *Table) Settle() {
	t.foot = append(t.foot, t.notes...)
	t.notes = nil
}

// Beside sets what stands at the end of the line of an entry. Without such an entry it is a note.
func (t *Table) Beside(name, text string) {
	if i, ok := t.index[name]; ok {
		t.entries[i].Comment.Beside = text
		return
	}
	t.Note(text)
}

// Foot are the lines of comment that are above no entry.
func (t *Table) Foot() []string {
	if t == nil {
		return nil
	}
	return slices.Concat(t.foot, t.notes)
}
