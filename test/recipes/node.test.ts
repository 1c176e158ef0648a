import '../../examples/recipes/testing/pair.test.ts';
