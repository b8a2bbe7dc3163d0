-- name: clone_statement(template, database)$
-- Quoted by the server: CREATE DATABASE takes no parameters.
SELECT format('CREATE DATABASE %I TEMPLATE %I', :database::text, :template::text)

-- name: drop_statement(database)$
-- Ends the sessions that are still open in it.
SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', :database::text)
