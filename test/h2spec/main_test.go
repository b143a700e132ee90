package h2spec

import (
	"fmt"
	"os"
	"testing"

	"github.com/limpet-dev/limpet/test/programs"
	"github.com/limpet-dev/limpet/test/sandbox"
)

func TestMain(m *testing.M) {
	if err := programs.Find(programs.Limpet, programs.H2spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sandbox.Main(m, nil)
}
