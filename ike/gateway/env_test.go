package gateway

import (
	"reflect"
	"testing"
	"testing/synctest"
)

// Machines do without what their environment lacks, so that a rule which nobody has connected is no rule: the daemon gives them
// all there is.
func TestMachinesGetAllThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newFabric(t).start(addrA, toml("", left("none")), func(o *rigOptions) { o.CrashSecret = make([]byte, 32) })
		env := reflect.ValueOf(a.d.env).Elem()
		for i := range env.NumField() {
			f := env.Type().Field(i)
			if k := f.Type.Kind(); f.IsExported() && (k == reflect.Func || k == reflect.Pointer) && env.Field(i).IsNil() {
				t.Errorf("%s is not set", f.Name)
			}
		}
	})
}
