package remora.fixture;

import java.util.List;
import org.opensearch.env.Environment;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/** A node with its HTTP part from the class path instead of from a directory of modules. */
final class ClasspathNode extends Node {
    ClasspathNode(Environment environment) {
        super(environment, List.of(Netty4Plugin.class), false);
    }
}
