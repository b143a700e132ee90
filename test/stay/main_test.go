package stay

import (
	"fmt"
	"os"
	"testing"

	"github.com/limpet-dev/limpet/test/controlplane"
	"github.com/limpet-dev/limpet/test/programs"
	"github.com/limpet-dev/limpet/test/sandbox"
)

func TestMain(m *testing.M) {
	for _, find := range []func() error{controlplane.Find, findLimpet} {
		if err := find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	sandbox.Main(m, nil)
}

func findLimpet() error { return programs.Find(programs.Limpet) }
