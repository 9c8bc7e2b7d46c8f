// Package strongswan turns swanctl.conf, and a folder of swanctl, into our configuration.
//
// Most keys have the same name and meaning in both. What is here are the differences: the forms of values (keys.go), what strongSwan takes where
// nothing is written (also there), the places of certificates and keys (folder.go), the secrets (secrets.go), and what does not exist here.
//
// The daemon keys of strongswan.conf are read by package config/swanctl.
package strongswan
