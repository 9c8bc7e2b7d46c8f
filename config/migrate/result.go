package migrate

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"esplanade/config/tree"
)

// Options are what a reader needs to know of the world.
type Options struct {
	// Files is where files are read from.
	Files Files
	// InlineSecrets leaves secrets in the configuration. Otherwise each goes into a file of its own beside it.
	InlineSecrets bool
	// Name is what the files beside the configuration begin with: "office" makes "office.psk".
	Name string
	// Here are addresses or names of the host that the configuration is for, where a source does not say which of two ends that is.
	Here []string
}

// Files reads files. Names are paths of the host; an error has the name of the file in it. swanctl.Disk is one.
type Files interface {
	// ReadFile returns what is in a file: all of it, or more than limit bytes of it.
	ReadFile(name string, limit int64) ([]byte, error)
	// Glob returns the files that match a pattern as [path/filepath.Match] has them, sorted, without folders and without those whose names
	// begin with a dot.
	Glob(pattern string) ([]string, error)
}

// Error says what is wrong with a file, so that nothing of it is read.
type Error struct {
	At tree.Position
	// What is wrong, and what would be right. It has no text of the file in it, which may be a secret.
	What string
}

// Error is "file:line:column: what".
func (e *Error) Error() string { return e.At.String() + ": " + e.What }

// Fail is an [*Error].
func Fail(at tree.Position, what string) *Error { return &Error{At: at, What: what} }

// Stdin is the name that stands for standard input. Files has what was read of it under that name.
const Stdin = "-"

// maxFile bounds a file that is read, in bytes.
const maxFile = 1 << 20

// Read reads a whole file, and refuses one with more than maxFile bytes.
func (o Options) Read(name string) (string, error) {
	data, err := o.Files.ReadFile(name, maxFile)
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is too large: at most %d bytes are read", name, maxFile)
	}
	return string(data), err
}

// Result is a configuration of ours that was made of another system's.
type Result struct {
	// Name is what the end is called that the configuration is for, where a reader makes several: "" otherwise.
	Name string
	// Config is the configuration: see package config for what may be in it.
	Config *tree.Table
	// Left is what was not carried over, by file and line.
	Left []Left
	// Notes are what the operator should know or do, a sentence each.
	Notes []string
	// Files are to be written beside the configuration.
	Files []File
	// Secrets are the files of the source that secrets were taken from, and Inline says that there are some in the configuration itself.
	Secrets []string
	Inline  bool
}

// TOML is the text of the configuration.
func (r *Result) TOML() string { return tree.FormatTOML(r.Config) }

// Left is a part of the source that the configuration does not have.
type Left struct {
	// At is where it stands.
	At tree.Position
	// What it is, as it is written but for secrets: "aggressive = yes". Why says why it is not there.
	What, Why string
}

// String is "file:line: what: why".
func (l Left) String() string {
	return strings.TrimPrefix(fmt.Sprintf("%s: %s: %s", place(l.At), l.What, l.Why), ": ")
}

// place is "file:line", or the origin's name.
func place(at tree.Position) string {
	if s := at.FileLine(); s != "" {
		return s
	}
	return at.File
}

// File is a file that the configuration names.
type File struct {
	// Name is relative to the configuration.
	Name string
	Data []byte
	// Secret is set if nobody else may read it.
	Secret bool
}

// Draft is a result that is being made.
type Draft struct {
	Options
	result Result
	names  map[string]bool // of files
}

// NewDraft begins a configuration. origin stands for its file in positions.
func NewDraft(origin string, o Options) *Draft {
	return &Draft{Options: o, result: Result{Config: tree.New(origin)}, names: map[string]bool{}}
}

// Root is the configuration's top.
func (d *Draft) Root() *tree.Table { return d.result.Config }

// Leave notes, in the table where it would be, that something is not carried over. what must have no secret in it.
func (d *Draft) Leave(t *tree.Table, at tree.Position, what, why string) {
	what, why = oneLine(what), oneLine(why)
	if l := (Left{at, what, why}); !slices.Contains(d.result.Left, l) {
		d.result.Left = append(d.result.Left, l)
	}
	line := "not carried over: " + what
	if p := place(at); p != "" {
		line += " (" + p + ")"
	}
	t.Note(line + ": " + why)
}

// oneLine is a text for people without what a file can have in it that would end the line, or that a terminal would obey.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// Note adds a sentence for the operator, once.
func (d *Draft) Note(format string, args ...any) {
	if s := oneLine(fmt.Sprintf(format, args...)); !slices.Contains(d.result.Notes, s) {
		d.result.Notes = append(d.result.Notes, s)
	}
}

// Secret adds a secret to a table, as secret or as secret_file, whichever is asked for. text is the secret as our configuration has it: see
// [SecretText]. from is where it stands in the source, with what is written beside it; stem is what a file for it is named after, and ending how
// its name ends: ".psk".
func (d *Draft) Secret(t *tree.Table, from tree.Entry, text, stem, ending string) {
	key := "secret"
	if d.result.Inline = d.InlineSecrets; !d.InlineSecrets {
		key, text = "secret_file", d.File(stem+ending, []byte(text+"\n"), true)
	}
	if f := from.At.File; f != "" && !slices.Contains(d.result.Secrets, f) {
		d.result.Secrets = append(d.result.Secrets, f)
	}
	t.Add(key, from.At, text)
	if from.Comment.Beside != "" {
		t.Beside(key, from.Comment.Beside)
	}
}

// Mark is a state of a draft to go back to.
type Mark struct{ left, notes, files int }

// Mark is the state of the draft: what was left out, the notes and the files.
func (d *Draft) Mark() Mark {
	return Mark{len(d.result.Left), len(d.result.Notes), len(d.result.Files)}
}

// Undo takes back what came after a mark. The comments of [Draft.Leave] are in their tables, which the caller throws away.
func (d *Draft) Undo(m Mark) {
	d.result.Left, d.result.Notes = d.result.Left[:m.left], d.result.Notes[:m.notes]
	for _, f := range d.result.Files[m.files:] {
		delete(d.names, f.Name)
	}
	d.result.Files = d.result.Files[:m.files]
}

// File adds a file, and returns the name that it has: another one if there is one of that name already.
func (d *Draft) File(name string, data []byte, secret bool) string {
	if d.Name != "" {
		name = d.Name + "-" + fileName(name)
	}
	return d.FileIn("", name, data, secret)
}

// FileIn adds a file in a folder, and returns its name with that of the folder.
func (d *Draft) FileIn(folder, name string, data []byte, secret bool) string {
	name = fileName(name)
	for _, f := range d.result.Files {
		if path.Dir(f.Name) == path.Clean(folder) && f.Secret == secret && string(f.Data) == string(data) {
			return f.Name
		}
	}
	stem, ending := name, ""
	if dot := strings.LastIndexByte(name, '.'); dot > 0 {
		stem, ending = name[:dot], name[dot:]
	}
	try := path.Join(folder, name)
	for i := 2; d.names[try]; i++ {
		try = path.Join(folder, fmt.Sprintf("%s-%d%s", stem, i, ending))
	}
	d.names[try] = true
	d.result.Files = append(d.result.Files, File{try, data, secret})
	return try
}

// Result is what was made. The draft must not be used after it.
func (d *Draft) Result() *Result {
	files := map[string]int{} // in the order of reading
	for _, l := range d.result.Left {
		if _, ok := files[l.At.File]; !ok {
			files[l.At.File] = len(files)
		}
	}
	slices.SortStableFunc(d.result.Left, func(a, b Left) int {
		return cmp.Or(cmp.Compare(files[a.At.File], files[b.At.File]), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	return &d.result
}

// maxName bounds names of connections and other tables, in bytes, and the length that a name is cut to leaves room for a number.
const (
	maxName = 128
	cutName = 120
)

// TableName is a name of another system as our tables can have it.
func TableName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || strings.ContainsRune("\"'\\/", r) || r == 0x7f || r == '\ufffd' || r >= 0x80 && r < 0xa0 {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
	if len(s) > maxName {
		s = strings.ToValidUTF8(s[:cutName], "")
	}
	if s == "" || s[0] == '-' {
		s = "_" + s
	}
	return s
}

// Seconds is a number of seconds as a time of our configuration, in the largest unit that it is a multiple of.
func Seconds(n int64) string {
	for _, u := range []struct {
		seconds int64
		name    string
	}{{86400, "d"}, {3600, "h"}, {60, "m"}} {
		if n != 0 && n%u.seconds == 0 {
			return fmt.Sprintf("%d%s", n/u.seconds, u.name)
		}
	}
	return fmt.Sprintf("%ds", n)
}

// fileName is a name without what could lead elsewhere or would have to be quoted.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_.@", r):
			return r
		}
		return '_'
	}, s)
	if s = strings.TrimLeft(s, "."); s == "" {
		return "file"
	}
	return s
}
