package main

import "slices"

// All is the table of mutants, in the order of its files.
func All() []Mutant {
	return slices.Concat(strangers(), authentication(), users(), hooks(), swanctlFiles(), revocations(), resumptions(), exchanges(), requests(), collisions(), tasks(), commands(), selectors(), packets(), espMutants(),
		addresses(), algorithms(), files(), configuration(), faults(), silences(), certificates(), credentials(), signatures(), eapMutants(), eapTLSMutants(), exports(), clientMutants(), radiusMutants(), migrated())
}
