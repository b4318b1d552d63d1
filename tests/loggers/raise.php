<?php
class Broke extends Exception {}
function inner() { throw new Exception("no order\nof that number"); }
function pay() { try { inner(); } catch (Exception $e) { throw new Broke("broke", 0, $e); } }
try { inner(); } catch (Exception $e) { fwrite(STDERR, "$e\n"); }
fwrite(STDERR, "next\n");
try { pay(); } catch (Exception $e) { fwrite(STDERR, "$e\n"); }
fwrite(STDERR, "next\n");
pay();
