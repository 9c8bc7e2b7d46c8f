package config

import "esplanade/ike/policy"

// The policies by their names in this package.
type (
	AuthMethod      = policy.Auth
	ChildlessPolicy = policy.Childless
	UniquePolicy    = policy.Unique
	MOBIKECheck     = policy.RouteCheck
	StartAction     = policy.StartAction
	Mode            = policy.Mode
)

// Their values.
const (
	AuthPSK           = policy.AuthPSK
	ChildlessAllow    = policy.ChildlessAllow
	ChildlessPrefer   = policy.ChildlessPrefer
	ChildlessForce    = policy.ChildlessForce
	ChildlessNever    = policy.ChildlessNever
	UniqueNo          = policy.UniqueNo
	UniqueKeep        = policy.UniqueKeep
	UniqueReplace     = policy.UniqueReplace
	UniqueNever       = policy.UniqueNever
	MOBIKECheckBefore = policy.RouteCheckBefore
	MOBIKECheckAfter  = policy.RouteCheckAfter
	MOBIKECheckNever  = policy.RouteCheckNever
	StartNone         = policy.StartNone
	StartTrap         = policy.StartTrap
	StartStart        = policy.StartStart
	ModeTunnel        = policy.ModeTunnel
)
