package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
)

type order struct{ number *int }

func (o *order) pay() int { return *o.number }

func caught() {
	defer func() {
		fmt.Fprintln(os.Stderr, "error:", recover())
		debug.PrintStack()
	}()
	panic("caught")
}

func main() {
	caught()
	fmt.Fprintln(os.Stderr, "next")
	defer func() { panic(errors.Join(errors.New("no order"), errors.New("no money"))) }()
	(&order{}).pay()
}
