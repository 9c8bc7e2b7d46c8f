// Package policy has the words of the configuration that decide how SAs behave, as values.
//
// They are strongSwan's words where it has them. The configuration reads them, the gateway and the machines act on them: each
// is written here once, with its text, its order and what it stands for. What only one package knows is not for here,
// and neither is anything with a number or an address in it: it imports nothing of ours and has no state.
//
// The zero value of a kind is the default of the configuration, except where there is none ([Auth]).
package policy
