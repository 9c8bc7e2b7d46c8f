// Package auth computes and checks the AUTH payload of IKE_AUTH, RFC 7296 section 2.15. It is pure: secrets come in as
// parameters, results go out as values.
package auth
