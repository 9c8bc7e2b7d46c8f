package main

// swanctlFiles are mutants of how strongSwan's files are read.
func swanctlFiles() []Mutant {
	return []Mutant{
		{
			Name: "swanctl-inherited-first", File: "config/swanctl/resolve.go", Tests: "^TestParse$",
			Old: "\tlist = append(list, s)\n\tif r.following[s]", New: "\tdefer func() { list = append(list, s) }()\n\tif r.following[s]",
			Why: "what a section says itself would be lost to what it inherits",
		},
		{
			Name: "swanctl-cleared", File: "config/swanctl/resolve.go", Tests: "^TestParse$",
			Old: "\t\t\tseen[k.name] = true\n\t\t\ttable.Note(k.comment.Above...)\n\t\t\tif k.value == nil {\n\t\t\t\tcontinue\n\t\t\t}",
			New: "\t\t\ttable.Note(k.comment.Above...)\n\t\t\tif k.value == nil {\n\t\t\t\tcontinue\n\t\t\t}\n\t\t\tseen[k.name] = true",
			Why: "an empty value would let in again what a connection inherits",
		},
		{
			Name: "swanctl-hidden", File: "config/swanctl/source.go", Tests: "^TestParse$",
			Old: "strings.HasPrefix(n[i], \".\") &&", New: "n[i] == \"\" &&",
			Why: "what an editor keeps of a file that it writes would be read as well",
		},
		{
			Name: "swanctl-round", File: "config/swanctl/resolve.go", Tests: "^TestParse$",
			Old: "if r.following[s] { // in a round, each counts once\n\t\treturn list, nil\n\t}", New: "",
			Why: "two sections that inherit from each other would be refused",
		},
		{
			Name: "swanctl-secret-shown", File: "config/swanctl/secrets.go", Tests: "^TestFolderProblems$",
			Old: "errors.New(\"the secret begins with 0x, and what follows are no hexadecimal digits\")", New: "errors.New(\"the secret begins with 0x, and what follows are no hexadecimal digits: \" + digits)",
			Why: "a secret would stand in the log",
		},
		{
			Name: "swanctl-item-quoted", File: "config/swanctl/sections.go", Tests: "^TestItems$",
			Old: "if q := list[0]; q == '\\'' || q == '\"' {", New: "if q := list[0]; q == '\"' {",
			Why: "an address with a comma would be two",
		},
		{
			Name: "swanctl-radius-name", File: "config/swanctl/daemonradius.go", Tests: "^TestReadDaemon$",
			Old: "r.table(\"radius\").Add(\"nas_identifier\"", New: "r.table(\"radius\").Len(); (&tree.Table{}).Add(\"nas_identifier\"",
			Why: "a RADIUS server would no longer know the gateway",
		},
	}
}
