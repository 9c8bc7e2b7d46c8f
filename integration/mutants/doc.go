// Command mutants shows that the tests notice when a line that matters is broken.
//
// A mutant is a small change to one file: a comparison turned round, a check left out, a limit that is none. The table of
// them is in the files table_*.go, by concern. For each mutant the command builds the tests of one package with the changed
// file in place of the real one (go test -overlay: nothing in the checkout is touched) and runs those that are to notice.
// A mutant that they fail on is killed. One that they pass with has survived: what the line is for is tested nowhere.
//
//	go run ./integration/mutants                 all of them
//	go run ./integration/mutants -run resume     those whose name matches
//	go run ./integration/mutants -list           the table, without running anything
//
// It ends with 1 if a mutant survived, does not build, has lost its line, or has no test that runs here. Before the mutants
// it runs the same tests without any: what fails then shows nothing.
//
// The test of this package is quick and belongs to the other tests: each text that a mutant replaces is in its file exactly
// once, and the mutated file parses. Whoever changes a line that a mutant is about is told so, and changes the mutant.
package main
