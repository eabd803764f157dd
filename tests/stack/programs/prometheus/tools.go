// Names the programs that are built from this module, so that go.mod and go.sum pin all that they need.

//go:build tools

package tools

import (
	_ "github.com/prometheus/prometheus/cmd/prometheus"
	_ "github.com/prometheus/prometheus/cmd/promtool"
)
